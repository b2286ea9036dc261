"""How the networks in `models/` are made: data, training, evaluation, export."""
