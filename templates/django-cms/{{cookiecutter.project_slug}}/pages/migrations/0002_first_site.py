"""The first page in the place of Wagtail's welcome, a second language, and what the groups may do.

Wagtail itself brings the groups Editors (write and submit) and Moderators (publish), and the workflow between them.
"""

import uuid

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What moderators do beyond pages: app, model, actions.
OF_MODERATORS = (
    ("website", "sitesettings", ("change",)),
    ("wagtailredirects", "redirect", ("add", "change", "delete")),
    ("wagtailsearchpromotions", "searchpromotion", ("add", "change", "delete")),
)


def begin(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    Locale = apps.get_model("wagtailcore", "Locale")
    Page = apps.get_model("wagtailcore", "Page")
    Site = apps.get_model("wagtailcore", "Site")
    HomePage = apps.get_model("pages", "HomePage")

    Page.objects.filter(depth=2, slug="home").delete()
    kind, _ = ContentType.objects.get_or_create(app_label="pages", model="homepage")
    english, _ = Locale.objects.get_or_create(language_code="en")
    Locale.objects.get_or_create(language_code="de")
    home = HomePage.objects.create(
        title="Magazine",
        draft_title="Magazine",
        slug="home",
        url_path="/home/",
        path="00010001",
        depth=2,
        numchild=0,
        content_type=kind,
        locale=english,
        translation_key=uuid.uuid4(),
    )
    site = Site.objects.create(
        hostname="localhost", port=80, site_name="Magazine", root_page=home, is_default_site=True
    )
    # Otherwise the first visitor would write it.
    apps.get_model("website", "SiteSettings").objects.create(site=site)
    moderators = Group.objects.get(name="Moderators")
    for app, model, actions in OF_MODERATORS:
        kind, _ = ContentType.objects.get_or_create(app_label=app, model=model)
        for action in actions:
            permission, _ = Permission.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": f"Can {action} {model}"}
            )
            moderators.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("pages", "0001_initial"),
        ("website", "0001_initial"),
        ("wagtailcore", "0098_apitoken"),
        ("wagtailredirects", "0001_initial"),
        ("wagtailsearchpromotions", "0001_initial"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailimages", "0002_initial_data"),
        ("wagtaildocs", "0002_initial_data"),
    ]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
