"""The column types of the book: exact decimals at one scale each, that refuse a float instead of rounding it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class ExactDecimalField(models.DecimalField):
    """A decimal column that raises on floats and on digits beyond its scale, where Django would round silently."""

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, float):
            raise ValidationError(
                f"{self.name}: give money as a decimal string, not as a float ({value!r})", code="float"
            )
        return super().to_python(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, float):
            raise TypeError(f"{self.name}: money must not be a float ({value!r})")
        if isinstance(value, Decimal):
            exponent = value.normalize().as_tuple().exponent
            if isinstance(exponent, int) and -exponent > (self.decimal_places or 0):
                raise ValueError(
                    f"{self.name}: {value} has more than {self.decimal_places} decimal places; round it first"
                )
        return super().get_db_prep_save(value, connection)


class MoneyField(ExactDecimalField):
    """US dollars with six places: numeric(24,6), whole micro-dollars."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 24)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)


class SizeField(ExactDecimalField):
    """Units of an instrument: numeric(28,8), enough for outcome tokens (six places) and coins (eight)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 28)
        kwargs.setdefault("decimal_places", 8)
        super().__init__(*args, **kwargs)


class PriceField(ExactDecimalField):
    """US dollars per unit: numeric(24,10), so that an average price keeps more digits than any venue's tick."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 24)
        kwargs.setdefault("decimal_places", 10)
        super().__init__(*args, **kwargs)


class RatioField(ExactDecimalField):
    """A share of something, 1 = all of it: numeric(9,6)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 9)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)
