"""Pipelines from Python: components as functions, pipelines as functions of them.

    from amlkit import Input, Workspace, load_component, pipeline

    train, score = load_component("train.yml"), load_component("score.yml")

    @pipeline(default_compute="cpu-cluster")
    def digits(data: Input, epochs: int = 3):
        fitted = train(data=data, epochs=epochs)
        scored = score(data=data, model=fitted.outputs.model)
        return {"scores": scored.outputs.scores}

    workspace = Workspace.open()
    job = workspace.jobs.submit(digits(data=Input(path="data"), epochs=5))

What is submitted is the dict that the YAML of the same pipeline would be: `digits(...).save(file)`.
"""

from amlkit.services.pipelines.building import Pipeline, pipeline
from amlkit.services.pipelines.components import Component, Input, Output, load_component
from amlkit.services.pipelines.steps import Step

__all__ = ["Component", "Input", "Output", "Pipeline", "Step", "load_component", "pipeline"]
