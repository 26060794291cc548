"""Where the files of datastores are: folders, blob containers, and the keys to them."""
