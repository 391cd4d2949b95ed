package io.xfuser.spring;

import io.xfuser.pipeline.XDiTParallel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Loads before a web server takes requests, and closes after it took its last: Spring's phases of
 * web servers are the last ones to start and the first ones to stop.
 */
final class RanksLifecycle implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(RanksLifecycle.class);
  private static final int BEFORE_WEB_SERVERS = DEFAULT_PHASE - (1 << 16);

  private final XDiTParallel ranks;
  private final XfuserProperties properties;
  private volatile boolean running;

  RanksLifecycle(XDiTParallel ranks, XfuserProperties properties) {
    this.ranks = ranks;
    this.properties = properties;
  }

  @Override
  public void start() {
    if (properties.loadAtStart() && ranks.isOpen()) {
      ranks.load();
    }
    running = true;
  }

  @Override
  public void stop() {
    running = false;
    if (!ranks.close(properties.shutdownTimeout())) {
      LOG.warn("a request took more than {} and was cancelled", properties.shutdownTimeout());
    }
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** A pipeline that was closed cannot be opened again. */
  @Override
  public boolean isPauseable() {
    return false;
  }

  @Override
  public int getPhase() {
    return BEFORE_WEB_SERVERS;
  }
}
