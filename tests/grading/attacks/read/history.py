"""What the notebook's history and its hidden variables hold.

May lose: ramp
"""

# %%
shell = get_ipython()
print([line for line in shell.history_manager.input_hist_raw])
print(In, list(shell.user_ns), list(shell.history_manager.get_range(output=True)))


# %% answer="raised"
def raised(z):
    global seen
    seen = dict(shell.user_ns), list(shell.history_manager.input_hist_parsed)
    return z + 3


# %%
print(seen)
