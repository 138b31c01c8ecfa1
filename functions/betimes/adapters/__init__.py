"""How we reach out: AWS services behind the ports. boto3 lives here and nowhere else."""
