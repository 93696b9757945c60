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


def test_only_galleries_and_mistakes_hold_pictures_of_the_dataset(drawn):
    with_pictures = [d for d in drawn.all() if d.images or "<image" in d.svg]
    mistakes = [looked.drawing for looked in drawn.mistakes]
    assert with_pictures == [drawn.side_by_side, *drawn.gallery, *mistakes]
    assert all(d.images for d in with_pictures)
