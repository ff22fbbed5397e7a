"""Where every value comes from: which stored columns a mart's column rests on, and which line of which file a cell."""
