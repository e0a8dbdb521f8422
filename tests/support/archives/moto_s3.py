"""moto's server, with conditional writes that are one step, as those of S3: moto looks, and writes later."""

import sys
import threading

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.responses import S3Response
from moto.server import main

_one = threading.Lock()
_put_object = S3Response.put_object


def put_object(self: S3Response) -> TYPE_RESPONSE:
    """Nobody writes between the look and the write."""
    with _one:
        return _put_object(self)


S3Response.put_object = put_object  # type: ignore[method-assign]
main(sys.argv[1:])
