"""The partition of each of many keys, as Kafka's default partitioner has it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from struct import pack, unpack

MULTIPLIER = 0x5BD1E995
SEED = 0x9747B28C


def partitions_of(keys: Sequence[bytes], partitions: int) -> list[int]:
    """Return the partition of each key out of `partitions`."""
    return [(hashed & 0x7FFFFFFF) % partitions for hashed in murmur2_each(keys)]


def murmur2_each(keys: Sequence[bytes]) -> list[int]:
    """Return MurmurHash2 of each key with Kafka's seed.

    aiokafka's takes a key after the other and a third of the relay's time. Keys of one length go
    through the same steps, so they take them side by side here: see `_hash`.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        by_length[len(key)].append(place)
    hashes = [0] * len(keys)
    for length, places in by_length.items():
        together = _hash([keys[place] for place in places], length)
        for place, hashed in zip(places, together, strict=True):
            hashes[place] = hashed
    return hashes


def _hash(keys: Sequence[bytes], length: int) -> tuple[int, ...]:
    """Hash keys of one length, each in a lane of 64 bits of one long integer.

    A lane holds the product of two numbers of 32 bits, so that none reaches into the next; `low`
    cuts off what is above the low 32 bits, and what a shift to the right brings from the next lane.
    """
    lanes = len(keys)
    low = _all_lanes(0xFFFFFFFF, lanes)
    hashed = _all_lanes(SEED ^ length, lanes)
    words = _words(keys, length)
    for _ in range(length // 4):
        mixed = next(words) * MULTIPLIER & low
        mixed = (mixed ^ (mixed >> 24 & low)) * MULTIPLIER & low
        hashed = (hashed * MULTIPLIER & low) ^ mixed
    for rest in words:
        hashed = (hashed ^ rest) * MULTIPLIER & low
    hashed = (hashed ^ (hashed >> 13 & low)) * MULTIPLIER & low
    hashed ^= hashed >> 15 & low
    return unpack(f"<{lanes}Q", hashed.to_bytes(8 * lanes, "little"))


def _words(keys: Sequence[bytes], length: int) -> Iterator[int]:
    """Yield the first four bytes of all keys, the next four, and so on; the last filled with 0."""
    count = -(-length // 4)
    filled = b"".join(key + bytes(4 * count - length) for key in keys)
    numbers = unpack(f"<{count * len(keys)}I", filled)
    for first in range(count):
        yield int.from_bytes(pack(f"<{len(keys)}Q", *numbers[first::count]), "little")


def _all_lanes(number: int, lanes: int) -> int:
    return int.from_bytes(pack("<Q", number) * lanes, "little")
