"""The options of ``posediff compare`` that ask: statements, proposals, and the models that may help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from posediff.compare.comparison import Comparison
    from posediff.differencing.asking import Asked
    from posediff.differencing.helpers.image_text import ImageTextModel
    from posediff.differencing.helpers.llm import LanguageModel
    from posediff.report.answered import AnswersTold
    from posediff.sequence import PoseSequence

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--ask",
        multiple=True,
        metavar="FILE|ACTION|STATEMENT",
        help="Whose performance statements are truer of: those of a taxonomy, or one in your own words.",
    ),
    click.option("--propose", type=click.IntRange(1, 100), help="Find this many statements that tell most."),
    click.option("--llm-base-url", help="OpenAI-compatible endpoint of a language model that helps."),
    click.option("--llm-model", help="The model's name there."),
    click.option(
        "--llm-transcript",
        type=click.Path(path_type=Path),
        help="Folder of the answers of the language model; one that is there is not asked for again.",
    ),
    click.option(
        "--image-text",
        type=click.Path(path_type=Path),
        help="Weights of an open_clip model that helps to find moments.",
    ),
    click.option("--image-text-model", default="ViT-B-32", help="Its architecture."),
)


def asking(command: Command) -> Command:
    """Give a command the options that ask."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Questions:
    """What is asked of a pair, and the models that help."""

    asked: Asked
    language: LanguageModel | None
    image_text: ImageTextModel | None

    @classmethod
    def of(
        cls,
        action: str,
        *,
        ask: Sequence[str],
        propose: int | None,
        llm_base_url: str | None,
        llm_model: str | None,
        llm_transcript: Path | None,
        image_text: Path | None,
        image_text_model: str,
    ) -> Questions | None:
        """What the options ask for, read and checked before anything is compared; None where they ask for nothing."""
        models = {"--llm-base-url": llm_base_url, "--llm-model": llm_model, "--llm-transcript": llm_transcript,
                  "--image-text": image_text}  # fmt: skip
        if not ask and not propose:
            idle = [name for name, value in models.items() if value is not None]
            if idle:
                raise click.UsageError(f"{idle[0]} helps to answer: give --ask or --propose")
            return None
        if bool(llm_base_url) != bool(llm_model):
            raise click.UsageError("--llm-base-url and --llm-model belong together: give both")
        from posediff.differencing.asking import asked

        wanted = asked(ask, action, propose or 0)
        return cls(
            wanted, _language(llm_base_url, llm_model, llm_transcript), _image_text(image_text, image_text_model)
        )

    def answered(
        self,
        comparison: Comparison,
        reference: PoseSequence | None,
        query: PoseSequence,
        exemplars: Sequence[PoseSequence],
    ) -> AnswersTold:
        """The answers about a pair.

        Args:
            comparison: of the pair.
            reference, query: as they were read; no reference where there are several.
            exemplars: all references; where there are several, proposals are what is remarkable among them.
        """
        from posediff.compare import Settings, compare
        from posediff.differencing.asking import Help, tell
        from posediff.report.answered import AnswersTold

        settings = Settings(**comparison.settings)
        pairs = [compare(one, query, settings) for one in exemplars] if self.asked.proposals and not reference else []
        pictures = (reference, query) if reference else None
        given = Help(self.language, self.image_text, pictures, _warn)
        answers, proposed = tell(self.asked, comparison, exemplars=pairs, given=given)
        return AnswersTold(answers, proposed, self._about())

    def _about(self) -> dict[str, Any]:
        """What the answers depend on, as plain JSON."""
        taxonomy = self.asked.taxonomy
        return {
            "action": taxonomy.action or None,
            "taxonomy": taxonomy.path.name or None,
            "language_model": None if self.language is None else self.language.provenance,
            "image_text_model": None if self.image_text is None else dict(self.image_text.provenance),
        }


def _language(base_url: str | None, model: str | None, transcript: Path | None) -> LanguageModel | None:
    if not base_url or not model:
        return None
    from posediff.differencing.helpers.llm import LanguageModel, LanguageSettings
    from posediff.differencing.helpers.recorded import Recorded

    return LanguageModel(LanguageSettings(base_url, model), Recorded(transcript))


def _image_text(weights: Path | None, architecture: str) -> ImageTextModel | None:
    if weights is None:
        return None
    from posediff.differencing.helpers.image_text import ImageTextModel, ImageTextSettings

    return ImageTextModel(ImageTextSettings(str(weights), architecture))


def _warn(fault: Exception) -> None:
    from posediff.cli import explain, one_line

    message, hint, _ = explain(fault)
    click.echo(one_line(f"posediff: {message.replace('error: ', 'warning: ', 1)}; {hint}"), err=True)
