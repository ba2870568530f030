"""Cases as pages: lists, one case with its story, clocks, custody and proof, the printed file, the report form."""
