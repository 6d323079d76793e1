"""Transcribes every recording of a folder, eight at a time; those that were done before are skipped.

python batch_of_files.py recordings/
"""

import asyncio
import sys
from pathlib import Path

from parlance import AsyncParlance, ParlanceError

KINDS = {".wav", ".mp3", ".m4a", ".flac", ".ogg", ".webm"}


def not_done(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in KINDS and not path.with_suffix(".srt").exists()]


async def main(recordings: list[Path]) -> None:
    at_once = asyncio.Semaphore(8)
    async with AsyncParlance() as client:

        async def one(path: Path) -> None:
            async with at_once:
                try:
                    result = await client.transcribe(path, metadata={"file": path.name})
                except ParlanceError as error:
                    print(f"{path.name}: {error}", file=sys.stderr)
                    return
                path.with_suffix(".srt").write_text(await result.to_srt(), "utf-8")
                print(f"{path.name}: {len(result.text)} characters, {result.cost}")

        await asyncio.gather(*map(one, recordings))


if __name__ == "__main__":
    asyncio.run(main(not_done(Path(sys.argv[1]))))
