"""Messages without end on the line to the judge, while the answer doesn't come.

Loses: count
"""


# %% answer="count"
def count(z):
    kernel = get_ipython().kernel
    while True:
        kernel.session.send(
            kernel.stdin_socket,
            "input_request",
            {"course": {"value": True}, "turn": "?"},
            ident=kernel._get_shell_context_var(kernel._shell_parent_ident),
        )
