"""Replies without end on the line that the cell's own reply comes by.

Loses: loose
"""


# %% answer="loose"
def loose(z):
    return 3 * z


kernel = get_ipython().kernel
stream = kernel.shell_stream or kernel.shell_socket
while True:
    try:
        kernel.session.send(
            getattr(stream, "socket", stream),
            "execute_reply",
            {"status": "ok"},
            parent={"msg_id": "another"},
            ident=kernel._get_shell_context_var(kernel._shell_parent_ident),
        )
    except BaseException:
        pass
