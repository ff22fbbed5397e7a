"""DfE's children's social care data flow: what each child's payload is, what changed, and how it is sent."""
