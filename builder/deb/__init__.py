"""deb(5): what a .deb holds, read as data and compared, and how it is compressed."""
