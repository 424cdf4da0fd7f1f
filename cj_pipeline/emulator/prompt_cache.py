"""The prompt cache, honestly simple: what the requests of one batch share, in the order of its input file.

OpenAI caches by itself: a prefix of at least 1,024 tokens, counted in steps of 128. Anthropic caches up to the
blocks that are marked with cache_control. Nothing is ever evicted, so it shows the most that can be attained.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_TOKENS = 1_024  # both providers: a shorter prefix is not cached
STEP_TOKENS = 128  # OpenAI, prompt caching guide
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Block:
    """A text of a request. `cache_ttl` ("5m", "1h") marks it as the end of a prefix that is to be cached."""

    text: str
    cache_ttl: str | None = None


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Tokens that one request read from the cache and wrote to it, the latter for `ttl`."""

    read: int = 0
    written: int = 0
    ttl: str = "5m"


class PromptCache:
    """What earlier requests have left, for one batch."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def use(self, model: str, blocks: Sequence[Block], *, by_itself: bool) -> CacheUse:
        """Look a request up and leave its prefixes for the later ones."""
        texts = [block.text.encode("utf-8", "surrogatepass") for block in blocks]
        if by_itself:
            return self._automatic(model, b"".join(texts))
        return self._marked(model, blocks, texts)

    def _automatic(self, model: str, prompt: bytes) -> CacheUse:
        digest = hashlib.sha256(model.encode() + b"\0")
        read = done = 0
        tokens = len(prompt) // _BYTES_PER_TOKEN
        for upto in range(FIRST_TOKENS, tokens + 1, STEP_TOKENS):
            digest.update(prompt[done : upto * _BYTES_PER_TOKEN])
            done = upto * _BYTES_PER_TOKEN
            if digest.digest() in self._seen:
                read = upto
            self._seen.add(digest.digest())
        return CacheUse(read=read)

    def _marked(self, model: str, blocks: Sequence[Block], texts: Sequence[bytes]) -> CacheUse:
        digest = hashlib.sha256(model.encode() + b"\0")
        size = read = upto = 0
        ttl = "5m"
        for block, text in zip(blocks, texts, strict=True):
            digest.update(len(text).to_bytes(8, "big") + text)
            size += len(text)
            tokens = size // _BYTES_PER_TOKEN
            if block.cache_ttl is None or tokens < FIRST_TOKENS:
                continue
            upto, ttl = tokens, block.cache_ttl
            if digest.digest() in self._seen:
                read = tokens
            self._seen.add(digest.digest())
        return CacheUse(read=read, written=upto - read, ttl=ttl)
