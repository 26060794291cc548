"""The normal distribution's quantile and its inverse, to double precision, import-free.

`statistics.NormalDist` gives the same numbers but costs the supervisor 16 ms of imports.

Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution",
Applied Statistics 37 (1988), 477-484.
"""

from __future__ import annotations

import math

_CENTRE = (
    2509.0809287301227,
    33430.57558358813,
    67265.7709270087,
    45921.95393154987,
    13731.69376550946,
    1971.5909503065513,
    133.14166789178438,
    3.3871328727963665,
)
_CENTRE_UNDER = (
    5226.495278852854,
    28729.085735721943,
    39307.89580009271,
    21213.794301586597,
    5394.196021424751,
    687.1870074920579,
    42.31333070160091,
    1.0,
)
_TAIL = (
    0.0007745450142783414,
    0.022723844989269184,
    0.2417807251774506,
    1.2704582524523684,
    3.6478483247632045,
    5.769497221460691,
    4.630337846156546,
    1.4234371107496835,
)
_TAIL_UNDER = (
    1.0507500716444169e-09,
    0.0005475938084995345,
    0.015198666563616457,
    0.14810397642748008,
    0.6897673349851,
    1.6763848301838038,
    2.053191626637759,
    1.0,
)
_FAR = (
    2.0103343992922881e-07,
    2.7115555687434876e-05,
    0.0012426609473880784,
    0.026532189526576124,
    0.29656057182850487,
    1.7848265399172913,
    5.463784911164114,
    6.657904643501103,
)
_FAR_UNDER = (
    2.0442631033899397e-15,
    1.421511758316446e-07,
    1.8463183175100548e-05,
    0.0007868691311456133,
    0.014875361290850615,
    0.1369298809227358,
    0.599832206555888,
    1.0,
)

_CENTRAL = 0.425
_SPLIT = 5.0
_SMALLEST = 2.0**-54
_LARGEST = 1.0 - 2.0**-53


def quantile(probability: float) -> float:
    """Return the z below which a standard normal value falls with this probability.

    probability: in [0, 1]; the ends are moved in by less than 1e-16, so z stays within 8.3.
    """
    p = min(max(probability, _SMALLEST), _LARGEST)
    centred = p - 0.5
    if abs(centred) <= _CENTRAL:
        r = _CENTRAL * _CENTRAL - centred * centred
        return centred * _ratio(_CENTRE, _CENTRE_UNDER, r)
    r = math.sqrt(-math.log(p if centred < 0 else 1.0 - p))
    size = (
        _ratio(_TAIL, _TAIL_UNDER, r - 1.6) if r <= _SPLIT else _ratio(_FAR, _FAR_UNDER, r - _SPLIT)
    )
    return math.copysign(size, centred)


def probability(z: float) -> float:
    """Return the probability that a standard normal value falls below z."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _ratio(over: tuple[float, ...], under: tuple[float, ...], r: float) -> float:
    return _polynomial(over, r) / _polynomial(under, r)


def _polynomial(coefficients: tuple[float, ...], r: float) -> float:
    total = 0.0
    for coefficient in coefficients:
        total = total * r + coefficient
    return total
