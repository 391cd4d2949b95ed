"""client.py BASE: what a program of the openai package asks a server for, with nothing changed but the base URL."""

import base64
import io
import sys

import openai

PNG = b"\x89PNG"


def picture(data):
    file = base64.b64decode(data.b64_json)
    assert file.startswith(PNG), file[:8]
    return file


def refused(error, ask, **expected):
    try:
        ask()
    except error as refusal:
        for name, value in expected.items():
            assert getattr(refusal, name) == value, (name, getattr(refusal, name))
        return
    raise AssertionError(f"{error.__name__} was not raised")


client = openai.OpenAI(base_url=sys.argv[1], api_key="secret", max_retries=0, timeout=120)
few = {"num_inference_steps": 4}

one = client.images.generate(model="gpt-image-1", prompt="a fox", extra_body={**few, "seed": 7})
again = client.images.generate(model="gpt-image-1", prompt="a fox", extra_body={**few, "seed": 7})
assert one.created > 0
assert picture(one.data[0]) == picture(again.data[0]), "one seed, two pictures"

two = client.images.generate(prompt="a fox", n=2, size="128x128", quality="auto", extra_body=few)
assert len({picture(data) for data in two.data}) == 2

jpeg = client.images.generate(prompt="a fox", output_format="jpeg", output_compression=80, extra_body=few)
assert base64.b64decode(jpeg.data[0].b64_json).startswith(b"\xff\xd8\xff")

place = client.images.generate(prompt="a fox", response_format="url", extra_body=few).data[0].url
assert place.startswith("http://"), place

kinds = []
for event in client.images.generate(prompt="a fox", stream=True, partial_images=2, extra_body=few):
    kinds.append(event.type)
    picture(event)
assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"], kinds

models = client.models.list().data
assert len(models) == 1 and models[0].owned_by == "xfuser", models
assert client.models.retrieve(models[0].id).id == models[0].id

fox = ("fox.png", io.BytesIO(picture(one.data[0])), "image/png")
refused(openai.BadRequestError, lambda: client.images.edit(image=fox, prompt="a fox"), status_code=400)
refused(openai.BadRequestError, lambda: client.images.generate(prompt="a fox", size="7"), param="size", type="invalid_request_error")
refused(openai.NotFoundError, lambda: client.models.retrieve("gpt-5"), status_code=404)
stranger = client.with_options(api_key="wrong")
refused(openai.AuthenticationError, lambda: stranger.models.list(), status_code=401)
hasty = client.with_options(timeout=0.2)
refused(openai.APITimeoutError, lambda: hasty.images.generate(prompt="a fox", extra_body={"num_inference_steps": 500}))
assert picture(client.images.generate(prompt="a fox", extra_body=few).data[0])

print(f"openai {openai.__version__}: generate, stream, models, edit and errors are as it expects")
