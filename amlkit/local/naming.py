"""Names for jobs that were given none: `calm_owl_4k2m9x7q`, as Azure ML makes them."""

from __future__ import annotations

import random

_ADJECTIVES = (
    "amiable bold brave bright busy calm clever cool crisp dapper eager epic frosty gentle"
    " gifted golden good green happy helpful honest icy jolly keen khaki kind lemon lucid"
    " magenta mango modest neat nice olive patient plucky polite proud quiet quirky red"
    " serene sharp silver sincere solid strong sweet teal tidy tough upbeat warm witty"
)
_NOUNS = (
    "ant apple arch atemoya band beach bean bear bell bird boat bread bridge brush camel car"
    " carpet cat cheetah circle cloud corn crow cup date deer dog dream eye fig fish flag floor"
    " forest fox frog garden glass guitar hat head house island jewel kettle king kite lamp"
    " leaf leg lemon line lizard loquat melon moon napkin nest night nut oil onion owl parcel"
    " pear pen piano pillow plum pot rain rhubarb ring river root salt school seal shark shoe"
    " snail spade spoon square squash stem stone street sugar sun sail tail tent thread tooth"
    " train tree turnip vase wall whale wolf worm yak yam zebra"
)


def job_name() -> str:
    """Return a new name; 36^8 endings make a clash with another job unlikely."""
    source = random.SystemRandom()
    ending = "".join(source.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8))
    adjective = source.choice(_ADJECTIVES.split())
    return f"{adjective}_{source.choice(_NOUNS.split())}_{ending}"
