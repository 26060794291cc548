"""The Azure ML workspace: the only place that imports the Azure SDK."""
