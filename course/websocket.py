"""What a kernel says goes to the browser at once: a setting of Jupyter's server.

By default the system keeps a small message until the one before it has been acknowledged (Nagle's
algorithm), and the browser's acknowledgement may wait for 40 ms. A kernel sends "busy", then a
widget's picture: the picture waited that long after each key.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class Prompt(ZMQChannelsWebsocketConnection):
    """Jupyter's own connection between a kernel and a browser, without that wait."""

    def connect(self) -> Any:
        """Begin to pass on messages."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
