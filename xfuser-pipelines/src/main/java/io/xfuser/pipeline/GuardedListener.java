package io.xfuser.pipeline;

import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A caller's listener, which is told no more once it has failed or has had enough. */
final class GuardedListener implements ProgressListener {
  private static final Logger LOG = LoggerFactory.getLogger(XDiTParallel.class);

  private final ProgressListener listener;
  private volatile boolean mute;

  GuardedListener(ProgressListener listener) {
    this.listener = listener;
    this.mute = listener == NONE;
  }

  boolean isMute() {
    return mute;
  }

  @Override
  public boolean progressed(Progress progress) {
    if (mute) {
      return true;
    }
    try {
      boolean goOn = listener.progressed(progress);
      mute = !goOn;
      return goOn;
    } catch (Throwable e) {
      mute = true; // of any kind: not every language declares what it throws
      LOG.warn("a listener failed and is told no more; what it listened to goes on", e);
      return true;
    }
  }
}
