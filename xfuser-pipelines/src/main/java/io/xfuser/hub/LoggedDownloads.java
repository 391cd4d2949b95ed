package io.xfuser.hub;

import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each file, when it begins. */
final class LoggedDownloads implements ProgressListener {
  private static final Logger LOG = LoggerFactory.getLogger(LoggedDownloads.class);

  private volatile String last = "";

  @Override
  public boolean progressed(Progress progress) {
    if (!progress.doing().equals(last)) {
      last = progress.doing();
      LOG.info("{} ({} bytes)", last, progress.total());
    }
    return true;
  }
}
