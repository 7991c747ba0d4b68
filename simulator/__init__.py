"""A fictional municipality at work: its catalogue, a past quarter, live traffic.

`python -m simulator seed` and `python -m simulator live`; `simulator.traffic.generate` gives such
traffic as a list, for tests and load.
"""

from pathlib import Path
from typing import Final

MUNICIPALITY: Final = "jacarandas"
ZONE: Final = "America/Mexico_City"
CATALOGUE: Final = Path(__file__).parent / "catalogo.yaml"
