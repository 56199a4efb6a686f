"""What learners do to a chapter, one edit each, and what must catch it.

A line is: the chapter, the old text, the new text, the words that the reader
must then see: of the check, or of Python's own error. The edit goes into the
loop where the old text stands there, else into the first cell that has it.
A name with .py after the chapter puts it into that module instead. The
words "stored output" stand for the comparison with it.
"""

SABOTAGE = """
01_numpy | 2 * (y_pred - y) | 2 * (y - y_pred) | gradient
01_numpy | learning_rate = 1e-6 | learning_rate = 1e-5 | learning rate
01_numpy | learning_rate = 1e-6 | learning_rate = 1e-7 | learning rate
01_numpy | (grad_y_pred * x**2).sum() | (grad_y_pred * x**3).sum() | gradient
01_numpy | c -= learning_rate * grad_c | pass | gradient
01_numpy | range(2000) | range(1999) | got 1999
01_numpy | ** 2).sum() | ** 2).mean() | take the sum
01_numpy | = sinefit.START | = np.random.default_rng(0).normal(size=4) | start
01_numpy | np.pi, 2000) | np.pi, 1000) | data
01_numpy | y = np.sin(x) | y = np.sin(x).astype(np.float32) | float32
01_numpy | y = np.sin(x) | y = np.cos(x) | data
01_numpy | losses = [] | losses = [0] | got 2001

02_tensors | dtype = torch.float64 | dtype = torch.float32 | rtol=1e-4
02_tensors | 2 * (y_pred - y) | 2 * (y - y_pred) | gradient
02_tensors | learning_rate = 1e-6 | learning_rate = 1e-5 | learning rate
02_tensors | d -= learning_rate * grad_d | pass | gradient
02_tensors | grad_y_pred * x**3 | grad_y_pred * x**2 | gradient
02_tensors | sinefit.START, dtype | [0, 0, 0, 0], dtype | start
02_tensors | -torch.pi, torch.pi | -3, 3 | data

03_autograd | w.grad = None | pass | gradients zeroed
03_autograd | w -= learning_rate | w += learning_rate | gradient
03_autograd | loss.backward() | pass | NoneType
03_autograd | in (a, b, c, d): | in (a, b, c): | gradient
03_autograd | w -= learning_rate * | w = w - learning_rate * | never
03_autograd | range(2000) | range(2001) | got 2001
03_autograd | weight, sinefit.START | weight, (1, 1, 1, 1) | start

04_custom_function | 5 * z**2 - 1) | 5 * z**2 - 3) | Jacobian mismatch
04_custom_function | 1.5 * (5 | 15 * (5 | Jacobian mismatch
04_custom_function | return grad_output * | return | Jacobian mismatch
04_custom_function | w.grad = None | pass | gradients zeroed
04_custom_function | rate = 5e-6 | rate = 5e-7 | learning rate
04_custom_function | 0.5 * (5 * z**3 | 0.6 * (5 * z**3 | Jacobian mismatch
04_custom_function | start = (0, -1, 0, 0.3) | start = (0, -1, 0, 0.2) | start

05_nn | torch.nn.Flatten(0, 1), | | stored output
05_nn | reduction="sum" | reduction="mean" | take the sum
05_nn | model.zero_grad() | pass | gradients zeroed
05_nn | bias.fill_(a) | bias.fill_(0) | start
05_nn | [1, 2, 3] | [1, 2, 4] | start
05_nn | b, c, d = model | d, c, b = model | in the page's order

06_optim | optimizer.step() | pass | never changes
06_optim | loss.backward() | pass | never changes
06_optim | optimizer.zero_grad() | pass | gradients zeroed
06_optim | = SGD( | = RMSprop( | gradient
06_optim | lr=learning_rate | lr=1e-6, momentum=0.5 | One update is right
06_optim | learning_rate = 1e-6 | learning_rate = 1e-7 | learning rate

07_module | x**k | x ** (k + 1) | start
07_module | optimizer.zero_grad() | pass | gradients zeroed
07_module | optimizer.step() | pass | never changes
07_module | torch.nn.Parameter( | ( | empty parameter list
07_module | super().__init__() | pass | before Module.__init__
07_module | (3, sinefit.START) | (3, sinefit.START[::-1]) | start
07_module polynomial.py | optimizer.zero_grad() | pass | gradients zeroed
07_module polynomial.py | reduction="sum" | reduction="mean" | take the sum
07_module polynomial.py | range(steps) | range(steps - 1) | got 1999

08_network | torch.nn.Tanh(), | torch.nn.Sigmoid(), | start
08_network | 0.0125 * signs | 0.0125 + 0 * signs | start
08_network | -places | 0 * places | start
08_network | learning_rate = 5e-5 | learning_rate = 1e-4 | learning rate
08_network | optimizer.zero_grad() | pass | gradients zeroed
08_network | network(8, start) | network(8) | start
08_network | (1 - units**2) | (1 + units**2) | stored output
08_network | for t in range(2000): | for t in range(1999): | be broadcast

09_data | 100 * loss_fn | loss_fn | stored output
09_data | learning_rate * 2000 / size * grad | learning_rate * grad | scaled to
09_data | torch.randint(2000, (1000, | torch.randint(1000, (1000, | the mean of
09_data | sinefit.START, dtype=dtype | (0.1, 0, 0, 0), dtype=dtype | step 0
09_data | float(row["temp_max"]) | len(row["temp_max"]) | stored output

10_scale | (R.T @ grad) | (R @ grad) | gradient
10_scale | error @ error + floor | error @ error | data
10_scale | learning_rate = 1e-6 | learning_rate = 2e-6 | learning rate
10_scale | = np.linalg.qr(V_np) | = np.linalg.qr(V_np[:1000]) | mismatch
10_scale | np.vander(x_np, 4 | np.vander(x_np, 5 | mismatch
10_scale processes.py | rate = rate * processes | pass | learning rate
10_scale processes.py | x[rank::processes].clone() | x | data
10_scale processes.py | optimizer.zero_grad() | pass | gradients zeroed
10_scale processes.py | distributed.all_reduce(total) | pass | data
10_scale processes.py | losses + total.tolist() | total.tolist() | got 500

01_numpy sinefit.py | (-0.5, 0.25 | (-0.4, 0.25 | stored output
01_numpy sinefit.py | 0.5 * left[:-1] | 0.4 * left[:-1] | start
"""


def rows():
    """Return the table as tuples of chapter, module, old, new, words."""
    table = []
    for line in filter(None, SABOTAGE.splitlines()):
        where, *others = (part.strip() for part in line.split(" |"))
        chapter, _, module = where.partition(" ")
        table.append((chapter, module, *others))
    return table
