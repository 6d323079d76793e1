"""Prints text while it is heard: python async_stream.py call.wav"""

import asyncio
import sys

from parlance import AsyncParlance
from parlance.models import Segment


async def main(path: str) -> None:
    async with AsyncParlance() as client:
        upload = await client.upload(path)
        job = await client.transcriptions.create(upload_id=upload.id)
        async with client.transcriptions.stream(job.id) as stream:
            async for event in stream:
                if isinstance(event.data, Segment):
                    print(event.data.text, flush=True)
        print((await client.wait(job.id)).cost)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
