"""Into which parts a file is cut on its way here: pure arithmetic."""

from __future__ import annotations

MIB = 1_048_576
PARTS_ABOVE_BYTES = 100_000_000  # beyond, a broken connection would cost too much
SMALLEST_PART_BYTES = 5 * MIB  # S3 takes no smaller one, but as the last
USUAL_PART_BYTES = 16 * MIB
MOST_PARTS = 320  # so many signed URLs still make a small answer


def part_bytes_of(size_bytes: int, *, wished: int | None = None) -> int | None:
    """The size of every part but the last; None for a file that comes whole.

    >>> part_bytes_of(100_000_000), part_bytes_of(100_000_001), part_bytes_of(12_000_000, wished=SMALLEST_PART_BYTES)
    (None, 16777216, 5242880)
    >>> [len(sizes_of(5_000_000_000, part_bytes_of(5_000_000_000, wished=wished))) for wished in (None, 5 * MIB)]
    [299, 318]
    """
    if wished is None and size_bytes <= PARTS_ABOVE_BYTES:
        return None
    least = -(-size_bytes // MOST_PARTS)
    return max(wished or USUAL_PART_BYTES, -(-least // MIB) * MIB)


def sizes_of(size_bytes: int, part_bytes: int | None) -> list[int]:
    """The size of each part, in order.

    >>> sizes_of(10, 4), sizes_of(8, 4), sizes_of(10, None)
    ([4, 4, 2], [4, 4], [10])
    """
    step = part_bytes or size_bytes
    return [min(step, size_bytes - start) for start in range(0, size_bytes, step)]
