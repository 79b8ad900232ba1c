from collections.abc import Callable
from typing import Any

Given = Callable[..., Any]
"""What the fixture `given` is: an input type and a literal in, the input out."""
