import numpy as np

from experiments.data import load_data
from experiments.members import member_of


def test_whole_clips_are_as_long_as_the_shortest_of_all(tmp_path, clips, tiny):
    short = clips / "pump" / "test" / "normal_id_01_00000000.npy"
    np.save(short, np.load(short)[:19])
    config = tiny("fc_autoencoder")
    (machine,) = load_data(config).machines
    member = member_of(machine, config, tmp_path)
    windows = member.batches.windows
    assert windows.num_frames == 19
    np.testing.assert_array_equal(windows.clip, np.arange(12))  # one a train clip
    assert (member.config.window.num_frames, config.window.num_frames) == (19, 0)


def test_windows_of_so_many_frames_stay_as_they_are(tmp_path, clips, tiny):
    config = tiny()
    (machine,) = load_data(config).machines
    member = member_of(machine, config, tmp_path)
    assert member.config is config and member.batches.windows.num_frames == 5
    assert member.workdir == tmp_path / "pump"
