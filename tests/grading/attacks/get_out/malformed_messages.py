"""Messages on the channel for outputs that have none of the parts they should have.

Loses: count
"""


# %% answer="count"
def count(z):
    return int((z > 0).sum())


kernel = get_ipython().kernel
for kind, content in [
    ("display_data", {"data": {"text/plain": 5, "text/html": {"a": []}}, "metadata": []}),
    ("stream", {"name": ["stdout"], "text": {"no": "text"}}),
    ("comm_open", {"comm_id": []}),
    ("comm_msg", {}),
    ("update_display_data", {"transient": "x"}),
    ("error", {"ename": 1}),
    ("status", {}),
]:
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"))
