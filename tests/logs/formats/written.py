"""Small files of other harnesses' formats, written as those harnesses write them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STAMP = "2026-03-01T10-00-00.000001"
BEGUN = 1772359200.5
#: Of a table of one task and model, with a value a row.
MAPPING = {
    "leadline_table": 1,
    "task": "t",
    "model": "m",
    "score": "ok",
    "columns": {"sample_id": "id", "value": "v"},
}


def sha(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def lm_rows(
    task: str, n: int, filters: Sequence[str] = ("none",), *, right: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """Rows of a generation task: documents in order, once per filter."""
    rows = []
    for chosen in filters:
        for number in range(n):
            document = {"question": f"{task} {number}?", "answer": number, "level": number % 2}
            prompt, target = f"Q: {document['question']}\nA:", str(number)
            rows.append(
                {
                    "doc_id": number,
                    "doc": document,
                    "target": target,
                    "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": ["\n"]}}},
                    "resps": [["six"]],
                    "filtered_resps": ["six"],
                    "filter": chosen,
                    "metrics": ["exact_match"],
                    "doc_hash": sha(json.dumps(document, indent=2, ensure_ascii=False)),
                    "prompt_hash": sha(prompt),
                    "target_hash": sha(target),
                    "exact_match": float(number in right),
                }
            )
    return rows


def task_hash(rows: Sequence[Mapping[str, Any]]) -> str:
    """What a results file states as the hash of a task's samples."""
    return sha("".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows))


def lm_results(
    tasks: Mapping[str, Sequence[Mapping[str, Any]]], model: str = "lab/small", **more: Any
) -> dict[str, Any]:
    """A results file's document for tasks with these rows."""
    results, counts = {}, {}
    for task, rows in tasks.items():
        results[task] = {"alias": task}
        for chosen in dict.fromkeys(row["filter"] for row in rows):
            values = [row["exact_match"] for row in rows if row["filter"] == chosen]
            mean = sum(values) / len(values)
            results[task][f"exact_match,{chosen}"] = mean
            spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
            results[task][f"exact_match_stderr,{chosen}"] = (spread / len(values)) ** 0.5
        counts[task] = {"original": 100, "effective": len({row["doc_id"] for row in rows})}
    return {
        "results": results,
        "configs": {
            task: {
                "task": task,
                "dataset_path": "lab/data",
                "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
                "generation_kwargs": {"until": ["\n"], "temperature": 0.0, "max_gen_toks": 16},
                "metadata": {"version": 2.0},
            }
            for task in tasks
        },
        "versions": dict.fromkeys(tasks, 2.0),
        "n-shot": dict.fromkeys(tasks, 3),
        "n-samples": counts,
        "config": {
            "model": "hf",
            "model_args": f"pretrained={model},dtype=float32",
            "limit": 10.0,
            "random_seed": 0,
        },
        "git_hash": None,
        "date": BEGUN,
        "lm_eval_version": "0.4.13",
        "task_hashes": {task: task_hash(rows) for task, rows in tasks.items()},
        "model_name": model,
        "chat_template_sha": "ab" * 32,
        "total_evaluation_time_seconds": "60.0",
    } | more


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write a file of one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_run(
    folder: Path, tasks: Mapping[str, Sequence[Mapping[str, Any]]], *, stamp: str = STAMP, **more: Any
) -> Path:
    """Write a results file and the samples file of each task; the folder."""
    for task, rows in tasks.items():
        write_lines(folder / f"samples_{task}_{stamp}.jsonl", rows)
    (folder / f"results_{stamp}.json").write_text(json.dumps(lm_results(tasks, **more), indent=2))
    return folder


def instances(
    n: int = 4, *, version: str = "0.3.0", names: Sequence[str] = ("bench",)
) -> list[dict[str, Any]]:
    """Instance records of Every Eval Ever."""
    return [
        {
            "schema_version": version,
            "evaluation_id": "lab/org_model/1772359200",
            "model_id": "org/model",
            "evaluation_name": name,
            "evaluation_result_id": f"{name}.accuracy",
            "sample_id": f"s{number}",
            "interaction_type": "single_turn",
            "input": {"raw": f"{name} {number}?", "reference": [str(number)]},
            "output": {"raw": ["one"]},
            "answer_attribution": [
                {"turn_idx": 0, "source": "output.raw", "extracted_value": "1", "extraction_method": "match", "is_terminal": True}
            ],
            "evaluation": {"score": float(number == 1), "is_correct": number == 1},
            "performance": {"latency_ms": 1500},
            "metadata": {"subject": "sums"},
        }
        for name in names
        for number in range(n)
    ]  # fmt: skip


def write_record(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, version: str = "0.3.0", **detailed: Any
) -> Path:
    """Write instances and the aggregate record that speaks of them; the folder."""
    file = write_lines(folder / "r_samples.jsonl", rows)
    names = dict.fromkeys(row["evaluation_name"] for row in rows)
    scores = {
        name: [row["evaluation"]["score"] for row in rows if row["evaluation_name"] == name] for name in names
    }
    record = {
        "schema_version": version,
        "evaluation_id": rows[0]["evaluation_id"],
        "evaluation_timestamp": "1772359200",
        "retrieved_timestamp": "1772359300",
        "source_metadata": {"source_name": "Lab", "source_type": "evaluation_run", "source_organization_name": "Lab", "evaluator_relationship": "first_party"},
        "eval_library": {"name": "lab_eval", "version": "1.2"},
        "model_info": {"name": "model", "id": "org/model"},
        "evaluation_results": [
            {
                "evaluation_result_id": f"{name}.accuracy",
                "evaluation_name": name,
                "source_data": {"dataset_name": name, "source_type": "other"},
                "metric_config": {"metric_kind": "accuracy", "lower_is_better": False},
                "score_details": {"score": sum(found) / len(found)},
            }
            for name, found in scores.items()
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": "r_samples.jsonl",
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(file.read_bytes()).hexdigest(),
            "total_rows": len(rows),
        }
        | detailed,
    }  # fmt: skip
    (folder / "r.json").write_text(json.dumps(record))
    return folder
