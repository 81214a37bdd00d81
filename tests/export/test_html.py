"""The page as a file: its size, what it holds, what it may do, and its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from lenet5 import paper, weights
from lenet5.errors import ArrayError, WeightsError
from lenet5.export.bundle import bundle, compact
from lenet5.export.html import page
from tests.conftest import Outcome

Command = Callable[..., Outcome]

SOURCES = {entry.name: entry.read_text("utf-8") for entry in (resources.files("lenet5.export") / "page").iterdir()}
ENTRY = re.compile(r'^  "?([\w ]+?)"?: \["(.*)", "(.*)"\],$', re.MULTILINE)
DICTIONARY = {key: (english, chinese) for key, english, chinese in ENTRY.findall(SOURCES["i18n.js"])}


@pytest.mark.parametrize(("int8", "most"), [(False, 800_000), (True, 250_000)])
def test_the_command_writes_one_file_within_its_size(int8: bool, most: int, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "lenet5.html"
    outcome = command("export", "--format", "html", "--output", file, *(["--int8"] if int8 else []))
    assert (outcome.status, outcome.out) == (0, "")
    assert 100_000 < file.stat().st_size <= most
    assert [other.name for other in tmp_path.iterdir()] == ["lenet5.html"]
    assert file.read_bytes() == page(weights.load("lenet5"), int8=int8).encode()


def test_weights_of_either_network_are_taken(command: Command, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    loaded = weights.load("concise")
    weights.Weights(paper.CONCISE, loaded.parameters * np.float32(0.5), loaded.metadata).save(mine)
    outcome = command("export", "--format", "html", "--weights", mine, "--output", tmp_path / "a.html")
    assert outcome.status == 0
    assert (tmp_path / "a.html").read_text("utf-8") == page(weights.load("lenet5"), weights.load(mine))
    with pytest.raises(WeightsError, match="holds weights of network concise, not lenet5"):
        page(weights.load("concise"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--weights", "missing.safetensors", "--output", "x.html"), "no weights at missing.safetensors"),
        (("--output", "no/such/folder/x.html"), "cannot write no/such/folder/x.html"),
    ],
)
def test_what_cannot_be_written_is_one_line(arguments: tuple[str, ...], complaint: str, command: Command) -> None:
    assert complaint in command("export", "--format", "html", *arguments).complaint


@pytest.mark.parametrize("arguments", [(), ("--format", "html"), ("--format", "gif", "--output", "x")])
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], command: Command) -> None:
    assert command("export", *arguments).status == 2


def test_the_page_asks_no_host_for_anything_and_its_policy_forbids_it() -> None:
    html = page(weights.load("lenet5"))
    outside = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href|action)=["'](?!data:)""", outside) == []
    assert "@import" not in html
    assert "url(" not in SOURCES["style.css"]
    assert "connect-src 'none'" in html
    assert "default-src 'none'" in html
    assert "connect-src 'self'" in page(weights.load("lenet5"), service=True)
    assert "unsafe" not in html.split("<title>")[0]


def test_equal_weights_give_an_equal_page() -> None:
    assert page(weights.load("lenet5")) == page(weights.load("lenet5"))


def test_every_word_is_in_both_languages_with_the_same_values() -> None:
    entries = SOURCES["i18n.js"].split("export const TEXT = {\n")[1].split("\n};")[0].splitlines()
    assert len(entries) == len(DICTIONARY)
    for key, (english, chinese) in DICTIONARY.items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
        assert not re.search(r"[\u4e00-\u9fff]", english) or key == "language", key


def test_every_key_that_is_used_is_in_the_dictionary_and_every_entry_is_used() -> None:
    others = {name: text for name, text in SOURCES.items() if name != "i18n.js"}
    code = "\n".join(text for name, text in others.items() if name.endswith(".js"))
    used = set(re.findall(r'(?<![\w.])t\(\s*"(\w+)"', code))
    used |= set(re.findall(r'data-(?:t|label)="(\w+)"', others["index.html"]))
    used |= set(re.findall(r'new Complaint\("(\w+)"', code))
    used |= set(re.findall(r'"thing":"(\w+)"', others["examples.json"]))
    used |= {layer.kind for network in paper.NETWORKS.values() for layer in network.layers} | {"input", "output"}
    assert used <= DICTIONARY.keys()
    literals = used | set(re.findall(r'"([\w ]+)"', code))
    assert DICTIONARY.keys() <= literals, DICTIONARY.keys() - literals


def test_no_words_stand_outside_the_dictionary() -> None:
    body = (
        SOURCES["index.html"].split("<body>")[1].split("<noscript>")[0] + SOURCES["index.html"].split("</noscript>")[1]
    )
    assert re.findall(r">([^<>%]*[A-Za-z\u4e00-\u9fff][^<>%]*)<", body) == []
    for name, text in SOURCES.items():
        if name not in ("i18n.js", "index.html", "style.css"):
            assert not re.search(r"[\u4e00-\u9fff]", text), name


def test_bundle_gives_each_module_a_scope_of_its_own() -> None:
    modules = {
        "a": 'import { same } from "./b.js";\nexport const twice = 2 * same();\nconst hidden = 1;',
        "b": "const hidden = 4;\nexport function same() {\n  return hidden;\n}",
        "main": 'import { twice } from "./a.js";\nimport { same } from "./b.js";\nanswer = twice + same();',
    }
    script = bundle(modules, "main")
    assert script.count("const b$") == 1
    assert script.index("const b$") < script.index("const a$") < script.index("const main$")


@pytest.mark.parametrize(
    ("modules", "complaint"),
    [
        ({"main": 'import { a } from "./gone.js";'}, "main imports the module gone, which does not exist"),
        ({"main": 'import { a } from "./b.js";', "b": ""}, "main imports a, which b does not export"),
        (
            {"main": 'import { a } from "./b.js";\nexport const c = 1;', "b": 'import { c } from "./main.js";'},
            "in a circle: main → b → main",
        ),
        ({"main": "export default 3;"}, "a form that bundle does not know"),
        ({"main": 'import a from "./b.js";', "b": ""}, "a form that bundle does not know"),
    ],
)
def test_bundle_refuses_what_it_would_get_wrong(modules: dict[str, str], complaint: str) -> None:
    with pytest.raises(ArrayError, match=re.escape(complaint)):
        bundle(modules, "main")


def test_compact_keeps_what_is_not_a_comment_of_its_own() -> None:
    source = '/**\n * why\n */\nconst a = "//b"; // kept\n\n  // gone\n  f(a /* kept */);\n'
    assert compact(source) == 'const a = "//b"; // kept\nf(a /* kept */);'
