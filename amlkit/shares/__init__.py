"""Azure file shares behind datastores, the same for both workspaces.

Through azure-storage-file-share, which is imported when a share is opened and not before.
"""

import logging

# What it logs, as of every answer without a body, is not for stderr: the error says what failed.
logging.getLogger("azure").addHandler(logging.NullHandler())
