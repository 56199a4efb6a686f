"""How `make notebooks` runs a chapter, and what it stores.

Settings of nbconvert. A second run leaves no difference: no times, no counts
of runs, no metadata of an editor.
"""

c = get_config()  # noqa: F821, nbconvert gives it

c.NbConvertApp.export_format = "notebook"
c.NbConvertApp.use_output_suffix = False
c.NbConvertApp.log_level = "WARN"
c.FilesWriter.build_directory = ""  # in place
c.ExecutePreprocessor.timeout = 60  # seconds a cell
c.ExecutePreprocessor.record_timing = False
c.ClearMetadataPreprocessor.clear_cell_metadata = False
c.ClearMetadataPreprocessor.preserve_nb_metadata_mask = {"kernelspec"}
# In this order. None is enabled above, or it would run a second time.
c.NotebookExporter.preprocessors = [
    "nbconvert.preprocessors.ExecutePreprocessor",
    "nbconvert.preprocessors.CoalesceStreamsPreprocessor",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
]
