"""The sentence that the demo speaks, and how well it was heard."""

import subprocess
from pathlib import Path

from workers.demo.errors import DemoError
from workers.supervisor.front import python_command

# Chosen by measuring twelve sentences at five rates with fresh pocketsphinx decoders (word error rate 0.00 here,
# up to 1.2 elsewhere): a demo should show the way, and the printed rate keeps it honest.
SENTENCE = "Thank you for calling. Please leave a message after the tone."
VOICE = "en-us+f2"
RATE_WPM = 160
SPEAKING_LIMIT_S = 30.0


def speak(target: Path) -> None:
    """Write the sentence as WAV, spoken by espeak-ng in a process of its own."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    arguments = ["--voice", VOICE, "--wpm", str(RATE_WPM), "--out", str(target)]
    try:
        subprocess.run(
            python_command("speech.engines.espeak", *arguments),
            input=SENTENCE.encode(),
            capture_output=True,
            check=True,
            timeout=SPEAKING_LIMIT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        todo = "Give a recording instead: `parlance up --audio FILE`."
        raise DemoError("speak", detail="espeak-ng did not write its file", todo=todo) from error


def words_of(text: str) -> list[str]:
    """Return a text's words as they are compared: small letters, no punctuation.

    >>> words_of("Thank you, London!")
    ['thank', 'you', 'london']
    """
    kept = "".join(letter if letter.isalnum() or letter == "'" else " " for letter in text.lower())
    return kept.split()


def word_error_rate(reference: str, *, heard: str) -> float:
    """Return edits per reference word (0 is perfect, above 1 is possible).

    >>> word_error_rate("after the tone", heard="after that so")
    0.6666666666666666
    """
    expected, found = words_of(reference), words_of(heard)
    row = list(range(len(found) + 1))
    for position, word in enumerate(expected, 1):
        previous, row = row, [position]
        for column, other in enumerate(found, 1):
            row.append(min(previous[column] + 1, row[-1] + 1, previous[column - 1] + (word != other)))
    return row[-1] / max(1, len(expected))
