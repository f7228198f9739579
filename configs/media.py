"""Is this speech from a loudspeaker? A contextual pyramid of GRUs (Tang et al., ICASSP 2019).

    python -m experiments.run --config=configs/media.py
    python -m experiments.run --config=configs/media.py --config.model.context=none
    python -m experiments.run --config=configs/media.py --config.data.root=DIR

Streams in which people in a room take turns with loudspeakers are cut into snippets of 5 s, each
of which is judged: media or live. Without a DIR, streams are synthetic; with one, they are put
together from the recordings in DIR/live and DIR/media (.wav, .flac, .ogg), some of which only tests
hear.
results.csv has the equal error rate over all test snippets, snippets.csv every snippet.
"""

from ml_collections import ConfigDict

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = defaults.get_config()
    config.method = "media"
    for name in ("hall", "score", "report", "window"):
        del config[name]
    for name in ("machines", "num_held_out", "rehearsal", "parts", "labels"):
        del config.data[name]
    config.data.source = "media_scenes"

    # The streams (audio.media_scenes.SceneSettings).
    config.scenes = ConfigDict(
        dict(
            num_train=128,
            num_test=96,
            stream_seconds=60.0,  # at most one snippet's length of it may be left over
            shortest_seconds=15.0,  # of a passage by one person or loudspeaker
            longest_seconds=40.0,
            switch_share=0.7,  # of passages that one of the other kind follows
            num_voices=64,  # synthetic speakers
            noise_db=-50.0,  # synthetic rooms' noise, under full scale; speech has about -26 dB
            test_share=0.375,  # of voices, or of recordings, that only tests hear
            seed=0,
        )
    )
    # 32 ms frames every 25 ms.
    config.logmel = ConfigDict(
        dict(sample_rate=16000, frame_length=512, hop_length=400, num_mels=64, eps=1e-10)
    )
    config.window = ConfigDict(dict(snippet_seconds=5.0))

    model = config.model = ConfigDict()
    model.context = "middle"  # or "top", or "none": snippets one by one
    model.direction = "forward"  # of the layer over snippets; "both" needs the whole stream at once
    model.channels = (8, 16, 32)  # of the convolutions; each halves the frequency axis
    model.time_stride = 2  # frames to a step of the pyramid's lowest layer
    model.conv_features = 64
    model.features = (64, 64, 64)  # units of the pyramid's layers, from the bottom up
    model.strides = (4, 3)  # each layer above the lowest reads one in so many outputs
    model.context_features = 64
    model.dropout_rate = 0.2

    train = config.train
    train.num_epochs = 16
    train.batch_size = 8  # streams
    train.learning_rate = 2e-3
    # XLA's convolutions are several times slower in a loop on a CPU.
    train.steps_per_call = 1
    train.log_every_steps = 8
    train.checkpoint_every_steps = 64
    config.score = ConfigDict(dict(batch_size=8))
    config.report = ConfigDict(dict(num_streams=2))
    return config
