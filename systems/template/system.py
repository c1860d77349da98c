"""Where marginspec finds everything about Strongbox: it imports this file and takes `system`."""

from pathlib import Path

from marginspec.systems import System

from .adapter import StrongboxAdapter
from .laws import chapter
from .model import Strongbox

system = System(
    name="strongbox",
    model=Strongbox,
    chapter=chapter,
    spec=Path(__file__).with_name("spec.md"),
    adapter=StrongboxAdapter,
)
