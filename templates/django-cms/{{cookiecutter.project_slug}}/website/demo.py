"""What the demo's magazine says. Each title stands in English and in German."""

from typing import Any

type Text = tuple[str, str]

STANDFIRST: Text = (
    "Stories about the city, its water and the people who look after both.",
    "Geschichten über die Stadt, ihr Wasser und die Leute, die sich um beides kümmern.",
)
PARAGRAPHS: tuple[Text, ...] = (
    (
        """It begins before six, when the streets still belong to those who clean them. Nobody hurries, because
        everybody knows what comes next, and the dog knows it best of all.""",
        """Es beginnt vor sechs, wenn die Straßen noch denen gehören, die sie sauber machen. Niemand eilt, weil
        alle wissen, was als Nächstes kommt, und der Hund weiß es am besten.""",
    ),
    (
        """Ask ten people here what has changed, and you get twelve answers. The thirteenth is the bakery, which
        has moved across the road and taken the queue along.""",
        """Fragt man hier zehn Leute, was sich geändert hat, bekommt man zwölf Antworten. Die dreizehnte ist die
        Bäckerei: Sie ist auf die andere Straßenseite gezogen und hat die Schlange mitgenommen.""",
    ),
    (
        """What looks like chance is a plan of forty years. It lies in a drawer of the town hall, drawn in pencil,
        and there is exactly one person who can read all of it.""",
        """Was nach Zufall aussieht, ist ein Plan von vierzig Jahren. Er liegt in einer Schublade im Rathaus, mit
        Bleistift gezeichnet, und es gibt genau eine Person, die alles darin lesen kann.""",
    ),
)
QUOTE: Text = (
    "You do not repair a bridge. You persuade it to stay.",
    "Eine Brücke repariert man nicht. Man überredet sie zu bleiben.",
)

# Sections with their articles: title, introduction, author, tags.
SECTIONS: tuple[dict[str, Any], ...] = (
    {
        "title": ("City", "Stadt"),
        "introduction": ("Streets, houses, and who is in them.", "Straßen, Häuser und wer in ihnen ist."),
        "articles": (
            (
                ("The lamplighter's last round", "Die letzte Runde des Laternenanzünders"),
                "Mara Lindt",
                ("night", "work"),
            ),
            (("A square learns to breathe", "Ein Platz lernt atmen"), "Jonas Vey", ("green", "planning")),
            (("Forty steps to the market", "Vierzig Stufen zum Markt"), "Mara Lindt", ("walks",)),
        ),
    },
    {
        "title": ("Water", "Wasser"),
        "introduction": ("The river, the harbour, and the rain.", "Der Fluss, der Hafen und der Regen."),
        "articles": (
            (("Who owns the river at night?", "Wem gehört der Fluss bei Nacht?"), "Ilse Brandt", ("night", "river")),
            (("The bridge that hums", "Die Brücke, die summt"), "Jonas Vey", ("river", "planning")),
            (("A harbour without ships", "Ein Hafen ohne Schiffe"), "Ilse Brandt", ("work",)),
        ),
    },
)
ABOUT: Text = ("About us", "Über uns")
SUBSCRIBE: Text = ("Subscribe", "Abonnieren")
STORIES: Text = ("Stories", "Geschichten")
