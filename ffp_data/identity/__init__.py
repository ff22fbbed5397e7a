"""Who is who: the person models of a home, and what records say beside their links.

`model_store` keeps the models, `live_model` chooses the one to link with; a candidate is tried on a sample
(`model_sample`, `model_trial`), measured on labels (`model_labels`) against limits (`model_limits`), reported
(`model_report`) and let go live (`model_gate`). The packaged models and limits lie here as YAML. The linking
itself is a step of a run: `ffp_data.pipeline.identify`.
"""
