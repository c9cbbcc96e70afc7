"""Floor 2: files, URLs and pipes become blocks of decoded rows; packets become files."""
