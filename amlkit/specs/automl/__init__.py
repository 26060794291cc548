"""AutoML jobs of every task: validated here, run on Azure ML."""
