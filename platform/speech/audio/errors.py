"""What can be wrong with media, as the customer should read it.

MediaError(code, detail)
  media_empty              nothing in the file, or no sound in its audio track
  media_not_audio          seen at accepting already: a text, a document, an image, an archive
  media_unsupported        not an audio or video file that is accepted
  media_no_audio           a video or container without an audio track
  media_damaged            the bytes are not what the file's format promises
  media_too_long           longer than the limit
  media_too_many_channels  more channels than the limit
  media_bad_rate           a sample rate outside the limits
  media_decoder_failed     the decoder crashed or used up its time or memory
"""

from typing import Literal, get_args

MediaCode = Literal[
    "media_empty",
    "media_not_audio",
    "media_unsupported",
    "media_no_audio",
    "media_damaged",
    "media_too_long",
    "media_too_many_channels",
    "media_bad_rate",
    "media_decoder_failed",
]
MEDIA_CODES: tuple[MediaCode, ...] = get_args(MediaCode)


class MediaError(Exception):
    """Media that cannot be used: a stable `code` and a `detail` that says what to do."""

    def __init__(self, code: MediaCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
