"""Generated text between two marker lines of a document that people write."""

from pathlib import Path

from tessera import files


def replace(page: Path, name: str, body: str) -> None:
    """Replace what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.

    Args:
        page: A Markdown file that holds each marker once, in order.
        name: Of the part.
        body: Its new text, which ends a line.

    Raises:
        ValueError: A marker is missing, doubled or out of order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    text = page.read_text(encoding="utf-8")
    found = text.count(begin), text.count(end)
    if found != (1, 1) or text.find(begin) > text.find(end):
        raise ValueError(
            f"{page}: expected one line `{begin}` and, after it, one line `{end}`. "
            f"Received: {found[0]} and {found[1]} of them. Put both where the text "
            "belongs."
        )
    before, rest = text.split(begin)
    files.write_text(page, f"{before}{begin}\n{body}{end}{rest.split(end)[1]}")
