"""The settings of the nbgrader course that `make classroom` writes."""

c = get_config()  # noqa: F821, nbgrader gives it

c.CourseDirectory.course_id = "one-curve"
c.ClearSolutions.code_stub = {"python": ""}  # the stub stands before it
c.ExecutePreprocessor.timeout = 60  # seconds a cell
