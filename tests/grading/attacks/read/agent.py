"""What the judge's own agent knows.

May lose: ramp
"""

# %%
kernel = get_ipython().kernel
agent = kernel._course_agent
seen = []


# %% answer="raised"
def raised(z):
    seen.append((vars(agent), kernel.get_parent("shell"), agent._do.__globals__.keys()))
    return z + 3


# %%
print(seen, agent._kept)
