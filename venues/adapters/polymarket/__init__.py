"""The live line to Polymarket's order book (CLOB): its words, its rounding, its signatures."""
