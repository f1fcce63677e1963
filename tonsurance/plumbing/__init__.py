"""Django-aware foundations without one business noun: columns, bells, slots, keys, pages."""
