"""App tier in Flask: one object a payment, put into S3 before the answer.

As deployed: python app.py. Tuned: gunicorn --workers 2 --threads 32 app:app, which sets S3_CONNECTIONS=32.
"""

import json
import os
import uuid
from datetime import datetime, timezone

import boto3
from botocore.config import Config
from flask import Flask, jsonify, request

BUCKET = os.environ["LOG_BUCKET"]
CONNECTIONS = int(os.environ.get("S3_CONNECTIONS", "10"))

app = Flask(__name__)
s3 = boto3.client("s3", config=Config(max_pool_connections=CONNECTIONS))


@app.get("/health")
def health():
    return "OK"


@app.post("/process")
def process():
    payment = request.get_json()
    payment_id = payment.setdefault("id", f"tx_{uuid.uuid4()}")
    payment.setdefault("status", "processed")
    payment["received_at"] = datetime.now(timezone.utc).isoformat()
    s3.put_object(
        Bucket=BUCKET,
        Key=f"transactions/{payment_id}.json",
        Body=json.dumps(payment).encode(),
        ContentType="application/json",
        ServerSideEncryption="AES256",
    )
    return jsonify(id=payment_id, status="accepted"), 202


if __name__ == "__main__":
    host, port = os.environ["LISTEN_ADDR"].rsplit(":", 1)
    app.run(host=host, port=int(port))
