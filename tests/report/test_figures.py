import xml.etree.ElementTree as ElementTree

from tessera.report.style import inline, standalone


def test_every_figure_is_well_formed_alone_and_inside_the_page(drawn):
    for drawing in drawn.all():
        ElementTree.fromstring(standalone(drawing.svg))
        ElementTree.fromstring(inline(drawing.svg, title=drawing.alternative, key="k"))


def test_every_figure_has_its_own_key_and_words(drawn):
    every = drawn.all()
    assert len({d.key for d in every}) == len(every)
    assert all(d.caption and d.alternative for d in every)


def test_only_the_galleries_hold_pictures_of_the_dataset(drawn):
    with_pictures = [d for d in drawn.all() if d.images or "<image" in d.svg]
    assert with_pictures == list(drawn.gallery)
