"""The settings of the nbgrader course that `make grade` keeps."""

c = get_config()  # noqa: F821, nbgrader gives it

c.CourseDirectory.course_id = "one-curve"
c.ClearSolutions.code_stub = {"python": ""}  # the stub stands before it
c.ExecutePreprocessor.timeout = 60  # seconds a cell
c.KernelManager.transport = "ipc"  # a kernel in a sandbox has no network
c.LimitOutput.max_chars = 100_000  # of what a cell printed
