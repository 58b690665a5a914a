"""The signs that one can react with: a few that everybody reads alike, so that counts stay together."""

from __future__ import annotations

EMOJI = ("👍", "👎", "❤️", "🎉", "😄", "😕", "👀", "🚀", "✅", "❌", "❓", "🙏", "👏", "🔥", "💡", "😢")
