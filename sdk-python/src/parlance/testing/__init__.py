"""Test your program without a network: a fake Parlance in this process, which speaks the API's real shapes.

    from parlance.testing import FakeParlance

    def test_my_program():
        fake = FakeParlance()
        fake.hear("Good morning.")
        client = fake.client()
        assert client.transcribe(b"any bytes").text == "Good morning."

It is a fake, not a server: it hears what you tell it to, prices nothing, and keeps everything in memory.
"""

from parlance.testing._fake import FakeParlance, Sent

__all__ = ["FakeParlance", "Sent"]
