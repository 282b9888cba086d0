from html.parser import HTMLParser

from posediff.report.tables import table


class Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.cells, self.classes, self.styles = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in ("th", "td"):
            self.cells.append("")
            self.classes.append(dict(attributes)["class"])
            self.styles.append(dict(attributes).get("style", ""))

    def handle_data(self, data):
        if self.cells and data.strip():
            self.cells[-1] += data


def test_texts_are_escaped_and_columns_set_as_asked():
    found = Cells(table(("Name", "Value"), [("<b>&", "3")], words=(0,)))
    assert found.cells == ["Name", "Value", "<b>&", "3"]
    assert found.classes == ["word", "number"] * 2


def test_a_lower_score_is_shaded_darker_and_an_unknown_one_not_at_all():
    found = Cells(table(("Score",), [("100",), ("40",), ("?",)], words=(), scores=(0,)))
    assert ["0%" in found.styles[1], "36%" in found.styles[2], found.styles[3]] == [True, True, ""]
