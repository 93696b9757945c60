"""Tables of two classes an image: columns that stand, and names that harm no one."""

from rich.cells import cell_len

from tessera.cli import table

NAMES = ("日本猿", "Großer Brachvogel")


def test_columns_stand_below_one_another_where_letters_fill_two_cells() -> None:
    cells = table.width((*NAMES, "runner-up"))
    first, second = zip(NAMES, (0.75, 0.25), strict=True)
    rows = [
        table.line(order, "a.png", cells)
        for order in ((first, second), (second, first))
    ]
    starts = {cell_len(row[: row.index("a.png")]) for row in rows}
    assert starts == {table.head("class", "runner-up", cells).index("image")}
    assert cell_len(rows[0][: rows[0].index("75.0%")]) == 19
    assert cell_len(rows[1][: rows[1].index("25.0%")]) == 19


def test_a_files_name_cannot_steer_the_terminal() -> None:
    told = table.line((("cat", 1.0), ("dog", 0.0)), "x\x1b[2J.jpg", 5)
    assert "\x1b" not in told and told.startswith("cat   100.0%  dog     0.0%  x")
